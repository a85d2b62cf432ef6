-- What was agreed on for a session beside its TTL. It is one field, so that a session without any costs nothing more to
-- read: what a ticket moves its owner by in the line (µs), how long before an end its holder is warned, the longest
-- without reported activity, when that ends it (ms), and the hash of its affinity. Each may be missing.
local function read_terms(s, text)
  local step, lead, idle, idle_end, affinity = string.match(text, '^(%d*):(%d*):(%d*):(%d*):(%x*)$')
  s.step, s.lead, s.idle, s.idle_end = tonumber(step), tonumber(lead), tonumber(idle), tonumber(idle_end)
  s.affinity = affinity ~= '' and affinity or nil
end

local function write_terms(s)
  local function text(number)
    return number and int(number) or ''
  end
  return table.concat({ text(s.step), text(s.lead), text(s.idle), text(s.idle_end), s.affinity or '' }, ':')
end
