-- The health of an object of edgetrust.io for Argo CD, of every kind. It follows kstatus, by which Flux judges: what is Failed there is Degraded here,
-- InProgress is Progressing, Current is Healthy. Argo CD runs it without Lua's string library.
local status = obj.status or {}

-- The operator has not seen this generation yet, or no generation at all.
if status.observedGeneration ~= nil and status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "the operator has not looked at generation " .. obj.metadata.generation .. " yet" }
end

local function condition(of_type)
  for _, one in ipairs(status.conditions or {}) do
    if one.type == of_type then
      return one
    end
  end
  return {}
end

-- Of the two at most one is there, and only while it is True.
local reconciling, stalled, ready = condition("Reconciling"), condition("Stalled"), condition("Ready")
if reconciling.status == "True" then
  return { status = "Progressing", message = reconciling.message }
end
if stalled.status == "True" then
  return { status = "Degraded", message = stalled.message }
end
if ready.status == "True" then
  return { status = "Healthy", message = ready.message }
end
return { status = "Progressing", message = ready.message or "the operator has not judged it yet" }
