-- Reads a container's facts as they are now: a lease or an offer that is overdue is ended first. Nil when it is not
-- there.
local function container_now(id)
  local f = facts(id)
  local s = f and f.lease and session_now(f.lease)
  if s and s.state == 'ended' then
    return facts(id)
  end
  return f
end
