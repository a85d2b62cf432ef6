-- Reads a session's record: its fields by name, or nil when it is not there. By one constructor, as `facts` does it.
local function session_of(id)
  local v = redis.call('HMGET', S.base .. 'session:' .. id, 'state', 'owner', 'created', 'ttl', 'span', 'most', 'cap',
    'confirm', 'beat', 'container', 'token', 'granted', 'ended', 'reason', 'replica', 'until', 'idem', 'idem_at',
    'inc', 'proven', 'meta', 'terms')
  if not v[1] then
    return nil
  end
  local s = {
    id = id, state = v[1] or nil, owner = v[2] or nil, created = v[3] or nil, ttl = v[4] or nil, span = v[5] or nil,
    most = v[6] or nil, cap = v[7] or nil, confirm = v[8] or nil, beat = v[9] or nil, container = v[10] or nil,
    token = v[11] or nil, granted = v[12] or nil, ended = v[13] or nil, reason = v[14] or nil, replica = v[15] or nil,
    ['until'] = v[16] or nil, idem = v[17] or nil, idem_at = v[18] or nil, inc = v[19] or nil, proven = v[20] or nil,
    meta = v[21] or nil,
  }
  if v[22] then
    local step, lead, idle, idle_end, affinity = string.match(v[22], '^(%d*):(%d*):(%d*):(%d*):(%x*)$')
    s.step, s.lead, s.idle, s.idle_end = tonumber(step), tonumber(lead), tonumber(idle), tonumber(idle_end)
    s.affinity = affinity ~= '' and affinity or nil
  end
  return s
end
