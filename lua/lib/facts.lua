-- Reads a container's record: its facts by name, or nil when it is not there.
-- The whole of it: a record is short, and looking up in it the 26 facts that there may be takes half as long again.
local function facts(id)
  local v = redis.call('HGETALL', S.base .. 'container:' .. id)
  local f = { id = id }
  for at = 1, #v, 2 do
    f[v[at]] = v[at + 1]
  end
  if not f.provider then
    return nil
  end
  -- Emptied rather than removed: one write less.
  if f.lease == '' then
    f.lease, f.at = nil, nil
  end
  return f
end
