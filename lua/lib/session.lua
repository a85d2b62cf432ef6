-- Reads a session's record: its fields by name, or nil when it is not there. The whole of it, as `facts` does.
local function session_of(id)
  local v = redis.call('HGETALL', S.base .. 'session:' .. id)
  local s = { id = id }
  for at = 1, #v, 2 do
    s[v[at]] = v[at + 1]
  end
  if not s.state then
    return nil
  end
  if s.terms then
    local step, lead, idle, idle_end, affinity = string.match(s.terms, '^(%d*):(%d*):(%d*):(%d*):(%x*)$')
    s.step, s.lead, s.idle, s.idle_end = tonumber(step), tonumber(lead), tonumber(idle), tonumber(idle_end)
    s.affinity = affinity ~= '' and affinity or nil
  end
  return s
end
