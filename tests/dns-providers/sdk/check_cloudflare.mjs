// Cloudflare's own SDK against its stand-in. Environment: SDK_FOLDER, CLOUDFLARE_API (its address), CLOUDFLARE_TOKEN, ZONE, and NAME in it. NODE_EXTRA_CA_CERTS trusts it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const { default: Cloudflare } = await import(createRequire(process.env.SDK_FOLDER + "/").resolve("cloudflare"));
const client = new Cloudflare({ apiToken: process.env.CLOUDFLARE_TOKEN, baseURL: process.env.CLOUDFLARE_API, maxRetries: 0 });

const zones = [];
for await (const zone of client.zones.list({ name: process.env.ZONE })) zones.push(zone);
assert.deepEqual(zones.map((zone) => zone.name), [process.env.ZONE]);
const zone_id = zones[0].id;

const name = `${process.env.NAME}.${process.env.ZONE}`;
const made = [];
for (const value of ["one", "two", "three"]) {
  made.push(await client.dns.records.create({ zone_id, type: "TXT", name, content: `"${value}"`, ttl: 60 }));
}
await assert.rejects(client.dns.records.create({ zone_id, type: "TXT", name, content: '"one"', ttl: 60 }), (error) => error.status === 400 && error.errors[0].code === 81058);

// Page by page: three records, two to a page.
const seen = [];
for await (const record of client.dns.records.list({ zone_id, type: "TXT", name: { exact: name }, per_page: 2 })) seen.push(record.content);
assert.deepEqual(seen.sort(), ['"one"', '"three"', '"two"']);

for (const record of made) await client.dns.records.delete(record.id, { zone_id });
await assert.rejects(client.dns.records.delete(made[0].id, { zone_id }), (error) => error.status === 404 && error.errors[0].code === 81044);

const stranger = new Cloudflare({ apiToken: "x".repeat(40), baseURL: process.env.CLOUDFLARE_API, maxRetries: 0 });
await assert.rejects(stranger.dns.records.list({ zone_id }), (error) => error.status === 403);
