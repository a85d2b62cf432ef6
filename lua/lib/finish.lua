-- Ends a session for a reason and gives its container back.
local function finish(s, reason)
  local untold = s.state == 'offered'
  close(s, reason)
  local f = s.container and facts(s.container)
  if f and f.lease == s.id then
    give_back(f, s, untold)
  elseif s.container and not f then
    redis.call('HDEL', S.base .. 'claims', s.container)
  end
end
