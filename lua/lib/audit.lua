-- What an audit found: rows of kind, id, place, and '1' when it was repaired. `repairs`: it is to repair;
-- `grace_ms`: how long something may be overdue before that is a fault.
local AUDIT = { rows = {}, repairs = false, grace_ms = 0 }

-- Notes a fault. Where it is to be repaired, writes the event and calls `mend`. Returns whether it did.
local function found(kind, id, place, mend)
  local mends = AUDIT.repairs and mend ~= nil
  AUDIT.rows[#AUDIT.rows + 1] = { kind, id, place, mends and '1' or '0' }
  if mends then
    licence()
    event('audit.repaired', 'fault', kind, 'id', id, 'place', place)
    mend()
  end
  return mends
end

-- A member of a set that does not belong in it.
local function audit_member(kind, set, id)
  return found(kind, id, set, function()
    redis.call('ZREM', S.base .. set, id)
  end)
end
