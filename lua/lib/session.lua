-- Reads a session's record: its fields by name, or nil when it is not there.
local SESSION = { 'state', 'owner', 'created', 'ttl', 'span', 'most', 'cap', 'confirm', 'beat', 'container', 'token',
  'granted', 'ended', 'reason', 'replica', 'until', 'idem', 'idem_at', 'inc', 'proven', 'meta' }

local function session_of(id)
  local values = redis.call('HMGET', S.base .. 'session:' .. id, unpack(SESSION))
  if not values[1] then
    return nil
  end
  local s = { id = id }
  for at, name in ipairs(SESSION) do
    s[name] = values[at] or nil
  end
  return s
end
