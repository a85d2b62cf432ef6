-- Reads a session as it is now: one that is overdue is ended first. Nil when it is not there.
local function session_now(id)
  local s = session_of(id)
  local reason = s and overdue(s)
  if reason then
    finish(s, reason)
  end
  return s
end
