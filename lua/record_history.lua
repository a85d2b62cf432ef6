-- Adds to a type's history what some of its events amount to, and how far it is with them, in one step: so no event counts
-- twice, and none is lost with a replica that dies. Nothing is added when another replica has the claim, or did it already.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] replica
-- ARGV[6] epoch
-- ARGV[7] sequence     with it the last event that was in the history before
-- ARGV[8] to_epoch
-- ARGV[9] to_sequence  with it the last one that is in it now
-- ARGV[10] kept        how many sessions are remembered one by one
-- ARGV[11] hours       how many pairs of hours follow
-- ARGV[12] unfinished  how many pairs of what is unfinished follow those
-- ARGV[13...] hours, by two: hour and counts ('': it is forgotten); what is unfinished, by two: field and value ('': it is
--             no more); then each session that ended
--
-- Outcomes
--   ok
--   lost  another replica has the claim, or these events are in it already
local replica = ARGV[5]
local epoch = ARGV[6]
local sequence = ARGV[7]
local to_epoch = ARGV[8]
local to_sequence = ARGV[9]
local kept = tonumber(ARGV[10])
local hours = tonumber(ARGV[11])
local unfinished = tonumber(ARGV[12])

local refused = open(true)
if refused then
  return refused
end
local key = S.base .. 'history'
local claim = redis.call('HMGET', key, 'by', 'epoch', 'sequence')
if claim[1] ~= replica or (claim[2] or '0') ~= epoch or (claim[3] or '0') ~= sequence then
  return { 'lost' }
end

-- Writes pairs into a hash; one without a value leaves it.
local function put(hash, from, count, more)
  local gone = {}
  for at = from, from + 2 * count - 1, 2 do
    if ARGV[at + 1] == '' then
      gone[#gone + 1] = ARGV[at]
    else
      more[#more + 1] = ARGV[at]
      more[#more + 1] = ARGV[at + 1]
    end
  end
  if #more > 0 then
    redis.call('HSET', hash, unpack(more))
  end
  if #gone > 0 then
    redis.call('HDEL', hash, unpack(gone))
  end
end

put(key, 13, hours, { 'epoch', to_epoch, 'sequence', to_sequence })
put(S.base .. 'history_open', 13 + 2 * hours, unfinished, {})
local sessions = 13 + 2 * (hours + unfinished)
if #ARGV >= sessions then
  redis.call('RPUSH', S.base .. 'history_sessions', unpack(ARGV, sessions))
  redis.call('HINCRBY', key, 'remembered', #ARGV - sessions + 1)
  redis.call('LTRIM', S.base .. 'history_sessions', -kept, -1)
end
return { 'ok' }
