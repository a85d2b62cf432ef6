-- Ends a session for a reason and gives its container back: `finish`, in scripts that seldom do.
local function finish(s, reason)
  local now = taking_back()
  now(s, reason)
end
