// The vendor's JavaScript SDK against the simulator; started by run.py with SIM_PORT, NODE_EXTRA_CA_CERTS, SIM_CLIENT_ID, SIM_CLIENT_SECRET, SIM_EDGE.
import {createRequire} from 'node:module';
import {join} from 'node:path';

const platform = createRequire(join(process.env.SDK_FOLDER, 'package.json'))('purecloud-platform-client-v2');
const edge = process.env.SIM_EDGE;
const base = '/api/v2/telephony/providers/edges';

function expect(what, seen, wanted) {
  if (JSON.stringify(seen) !== JSON.stringify(wanted)) {
    console.error(`${what}: ${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`);
    process.exit(1);
  }
  console.log(`  ${what}: ${JSON.stringify(seen)}`);
}

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  console.error('no refusal');
  return process.exit(1);
}

const client = platform.ApiClient.instance;
client.setGateway({host: '127.0.0.1', protocol: 'https', port: Number(process.env.SIM_PORT), path_params_login: '', path_params_api: ''});
await refused(client.loginClientCredentialsGrant(process.env.SIM_CLIENT_ID, 'wrong'));
await client.loginClientCredentialsGrant(process.env.SIM_CLIENT_ID, process.env.SIM_CLIENT_SECRET);
const api = new platform.TelephonyProvidersEdgeApi();

const edges = await api.getTelephonyProvidersEdges({pageSize: 100, managed: false, showCloudMedia: false});
expect('Edges', edges.total, 2);
const one = await api.getTelephonyProvidersEdge(edge, {expand: ['site']});
expect('Edge', [one.name, one.onlineStatus, one.statusCode], ['edge01', 'ONLINE', 'ACTIVE']);
expect('its site\'s zone', one.site.edgeAutoUpdateConfig.timeZone, 'America/New_York');
const sites = await api.getTelephonyProvidersEdgesSites({});
expect('sites', sites.entities.map((site) => site.name).sort(), ['Dublin', 'New York']);
const trunks = await api.getTelephonyProvidersEdgeTrunks(edge, {trunkType: 'EXTERNAL'});
const trunk = trunks.entities[0];
expect('trunk', [trunk.trunkType, trunk.optionsEnabledStatus, trunk.optionsStatus[0].optionState], ['EXTERNAL', 'ENABLED', false]);
expect('calls', (await api.getTelephonyProvidersEdgesTrunkMetrics(trunk.id)).calls.inboundCallCount, 0);
expect('metrics of trunks', (await api.getTelephonyProvidersEdgesTrunksMetrics(trunk.id)).length, 1);
expect('uptime is told', (await api.getTelephonyProvidersEdgeMetrics(edge)).upTimeMsec >= 0, true);
expect('authorities', (await api.getTelephonyProvidersEdgesCertificateauthorities({})).entities.map((ca) => ca.type), ['MANAGED']);
expect('service state', await api.postTelephonyProvidersEdgeStatuscode(edge, {body: {inService: false, callDrainingWaitTimeSeconds: 5}}), 'OK');
expect('out of service', (await api.getTelephonyProvidersEdge(edge, {})).statusCode, 'INACTIVE');
expect('unknown Edge', (await refused(api.getTelephonyProvidersEdge('nobody', {}))).code, 'not.found');
const status = await client.callApi(`${base}/{edgeId}/status`, 'GET', {edgeId: edge}, {}, {}, {}, null, ['PureCloud OAuth'], ['application/json'], ['application/json']);
expect('the guide\'s status call', [status.id, status.sip], [edge, 'SIP_DOWN']);
process.exit(0);  // the SDK watches its configuration file for ever
