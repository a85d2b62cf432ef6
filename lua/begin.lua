-- Goes on with a type on another server than the one that its data was last used with, or begins a type that has none:
-- a new epoch. Unless nothing can have been lost, a recovery begins with it: until its end nothing is given out that
-- somebody might still hold. Safe to repeat.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] verdict     'new': where there are no data, none were lost; 'known': they were
-- ARGV[6] met_ms      when that was found, by Redis's clock
-- ARGV[7] wait_ms     the longest that a holder may go on without having proven its lease
-- ARGV[8] lag_ms      of how much time writes may be lost
-- ARGV[9] grace_ms    how long every holder that lives has time to prove its lease
-- ARGV[10] lossless    '1': where there are data, none were lost
-- ARGV[11] epoch_seen  the highest epoch that the caller knows of
-- ARGV[12] token_seen  a fencing token that none it knows of is above
-- ARGV[13] gather_ms   how long whoever knows more has to say so; 0 of a caller that heard of the type until just now
--
-- Outcomes
--   began  epoch, 1 when there are data (or 0), the time until the end of the recovery in ms (or false)
--   known  epoch: somebody else began it
--   stale  the verdict is too old
--   gathering  who knows more has a while to say so: to be asked again
--
-- Events: recovery.began.
local verdict = ARGV[5]
local met_ms = tonumber(ARGV[6])
local wait_ms = tonumber(ARGV[7])
local lag_ms = tonumber(ARGV[8])
local grace_ms = tonumber(ARGV[9])
local lossless = ARGV[10]
local epoch_seen = tonumber(ARGV[11])
local token_seen = tonumber(ARGV[12])
local gather_ms = tonumber(ARGV[13])

-- An epoch is above those before by the clock. Where that is behind, or nothing tells whether it is, a replica that just started
-- or was away could use a number again that it does not know of. So all that ask say what they know; after a while the most of
-- it counts. Returns whether that is known now.
local function gathered(server, last)
  local latest = math.max(S.epoch, epoch_seen, last, S.server and S.tick or 0)
  if latest > 0 and S.wall > latest then
    return true
  end
  local key = S.base .. 'gathered'
  local known = redis.call('HMGET', key, 'server', 'since', 'epoch', 'token')
  local since = S.wall
  if known[1] == server then
    since = math.min(tonumber(known[2]), S.wall)
    epoch_seen = math.max(epoch_seen, tonumber(known[3]))
    token_seen = math.max(token_seen, tonumber(known[4]))
  end
  if S.wall - since >= gather_ms then
    redis.call('UNLINK', key)
    return true
  end
  redis.call('HSET', key, 'server', server, 'since', int(since), 'epoch', int(epoch_seen), 'token', int(token_seen))
  redis.call('PEXPIRE', key, int(4 * gather_ms))
  return false
end

local refused = read()
if refused then
  return refused
end
local server = identity()
if S.server == server then
  return { 'known', int(S.epoch) }
end
-- Between the verdict and now all may have been lost.
if verdict == 'new' and (S.wall < met_ms or S.wall - met_ms > 10000) then
  return { 'stale' }
end
licence()
local kept = S.server
local whole = kept and lossless == '1' or not kept and verdict == 'new'
-- The stream refuses an id that is not above its last one, and with it the script half way.
local last = redis.call('XREVRANGE', S.base .. 'events', '+', '-', 'COUNT', 1)[1]
local streamed = last and tonumber(string.match(last[1], '^%d+')) or 0
if not whole and not gathered(server, streamed) then
  return { 'gathering' }
end
S.epoch = math.max(S.epoch + 1, S.wall, streamed + 1, epoch_seen + 1)
S.seq = 0
-- Of what was granted in writes that are lost, no token was above the clock that the data were last used with, and none
-- above the highest that anybody knows of, by more than the time that may be lost.
S.floor = math.max(S.floor, token_seen, kept and S.tick * 1000 or 0) + lag_ms * 1000
if kept then
  -- Pool time goes on where it stood, less what may be lost of renewals; the line's own clock does not go back.
  S.offset = S.offset + S.wall - S.tick + lag_ms
  S.lagged = S.lagged + lag_ms
end
S.now = S.wall - S.offset
redis.call('HSET', KEYS[1], 'schema', SCHEMA, 'server', server, 'checked', int(S.us), 'epoch', int(S.epoch),
  'seq', '0', 'offset', int(S.offset), 'lagged', int(S.lagged), 'tick', int(S.wall), 'floor', int(S.floor),
  'due', '0')
if whole then
  -- A recovery that had not ended goes on: what this server did not lose, the one before may have.
  return { 'began', int(S.epoch), kept and 1 or 0, S.pause and math.max(0, S.pause - S.now) or false }
end
redis.call('UNLINK', S.base .. 'cleared')
S.loss = S.epoch
S.pause = S.now + wait_ms
-- Pool time goes on `lag_ms` before where it stood, and so long may it have gone on there: what ended until then is in doubt.
redis.call('HSET', KEYS[1], 'pause', int(S.pause), 'lost', int(S.wall), 'found', int(S.now),
  'trust', int(S.now + grace_ms), 'doubt', int(S.now + 2 * lag_ms), 'proven', '0', 'loss', int(S.loss), 'cleanse', '')
event('recovery.began', 'kept', kept and '1' or '0', 'ends_in_ms', int(wait_ms))
return { 'began', int(S.epoch), kept and 1 or 0, int(wait_ms) }
