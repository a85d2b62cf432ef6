-- Ends a session for a reason and gives its container back: made clean first where its type has a reset and somebody was
-- told where it is, else settled at once. In a recovery, the end of a lease that lived at the loss shows that nobody else holds the container.
local function finish(s, reason)
  local untold = s.state == 'offered'
  close(s, reason)
  local f = s.container and facts(s.container)
  if f and f.lease == s.id then
    f.lease = nil
    f.at = nil
    local changes = { 'lease', '', 'at', '' }
    local function change(name, value)
      f[name] = value
      changes[#changes + 1] = name
      changes[#changes + 1] = value
    end
    if f.on_end == 'reset' and not untold then
      want_reset(f, changes)
    end
    if S.recovering and s.proven == int(S.epoch) and not free_from(f) then
      change('clear', int(S.epoch) .. '-' .. int(S.trust))
    end
    settle(f, true, changes)
  elseif s.container and not f then
    redis.call('HDEL', S.base .. 'claims', s.container)
  end
end
