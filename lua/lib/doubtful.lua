-- In a recovery: whether a lease or an offer that the data know may have run out before the loss, in the writes that are
-- lost, so that its container may be somebody else's. Its holder has to prove that it lived.
local function doubtful(s)
  if not S.recovering or s.proven == int(S.epoch) or (s.state ~= 'ready' and s.state ~= 'offered') then
    return false
  end
  local deadline = redis.call('ZSCORE', S.base .. (s.state == 'ready' and 'leases' or 'offers'), s.id)
  return tonumber(deadline or 0) < tonumber(redis.call('HGET', KEYS[1], 'doubt') or 0)
end
