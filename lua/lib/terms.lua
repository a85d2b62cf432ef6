-- What was agreed on for a session beside its TTL, as one field, so that a session without any costs nothing more to
-- read: what a ticket moves its owner by in the line (µs), how long before an end its holder is warned, the longest
-- without reported activity, when that ends it (ms), and the hash of its affinity. Each may be missing. `session_of` reads
-- it.
local function write_terms(s)
  local function text(number)
    return number and int(number) or ''
  end
  return table.concat({ text(s.step), text(s.lead), text(s.idle), text(s.idle_end), s.affinity or '' }, ':')
end
