-- Reads a container's record: its facts by name, or nil when it is not there.
local FACTS = { 'provider', 'inc', 'state', 'check', 'probed', 'probe', 'good', 'bad', 'why', 'era', 'lease', 'token',
  'at', 'cordon', 'reset', 'on_end', 'quarantine', 'set', 'clear' }

local function facts(id)
  local values = redis.call('HMGET', S.base .. 'container:' .. id, unpack(FACTS))
  if not values[1] then
    return nil
  end
  local f = { id = id }
  for at, name in ipairs(FACTS) do
    f[name] = values[at] or nil
  end
  -- Emptied rather than removed: one write less.
  if f.lease == '' then
    f.lease, f.at = nil, nil
  end
  return f
end
