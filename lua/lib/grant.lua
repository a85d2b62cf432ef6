-- Gives a container to a session: a new fencing token, larger than any before for it, whatever Redis's clock does.
-- Writes the container's record. Returns what the caller is to write into the session's, as fields and values.
local function grant(f, session)
  local token = math.max(tonumber(f.token or 0) + 1, S.us, S.floor + 1)
  move(f, 'allocated')
  f.lease = session
  f.token = int(token)
  f.at = int(S.wall)
  redis.call('HSET', S.base .. 'container:' .. f.id, 'lease', session, 'token', f.token, 'at', f.at, 'set', 'allocated')
  local lease = { 'container', f.id, 'inc', f.inc, 'token', f.token, 'granted', f.at }
  if S.recovering then
    lease[#lease + 1] = 'proven'
    lease[#lease + 1] = int(S.epoch)
  end
  return lease
end
