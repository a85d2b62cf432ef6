-- Takes in what probes found; at most 100. A report from an older era is dropped: the container was restarted or made
-- clean meanwhile. A container that has no verdict yet is probed again within a second, so that one that just started
-- is not kept waiting for an interval.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] rise   good ones in a row that make it healthy
-- ARGV[6] fall   bad ones in a row that make it unhealthy
-- ARGV[7...] by four: id, era, failure ('' when it was good; at most 60 bytes), when it was claimed by the clock
--
-- Outcomes
--   ok  how many were taken in
--
-- Events: container.quarantined, container.quarantine_full, container.state.
local NO_VERDICT_MS = 1000
local rise = tonumber(ARGV[5])
local fall = tonumber(ARGV[6])

local base = S.base
local refused = open(false)
if refused then
  return refused
end
licence()
reclaim()

local function report(id, era, failure, claimed)
  local f = facts(id)
  if not f or f.era ~= era or f.probed ~= '1' then
    return 0
  end
  local key = base .. 'container:' .. id
  if failure == '' then
    local good = math.min(tonumber(f.good or 0) + 1, rise)
    -- Since the claim at least it has been true, however long the report was on its way.
    f.seen = int(math.min(claimed, S.wall))
    redis.call('HSET', key, 'good', good, 'seen', f.seen)
    redis.call('HDEL', key, 'bad')
    if good >= rise and f.probe ~= 'ok' then
      redis.call('HSET', key, 'probe', 'ok')
      redis.call('HDEL', key, 'why')
      f.probe = 'ok'
      settle(f)
    end
  else
    local bad = math.min(tonumber(f.bad or 0) + 1, fall)
    redis.call('HSET', key, 'bad', bad, 'why', failure)
    redis.call('HDEL', key, 'good')
    if bad >= fall and f.probe ~= 'bad' then
      redis.call('HSET', key, 'probe', 'bad')
      -- While it is being made clean it may well be away.
      if f.probe == 'ok' and not f.reset then
        strike(f, 'probe')
      end
      f.probe = 'bad'
      settle(f)
    end
  end
  if not f.probe then
    redis.call('ZADD', base .. 'probes', 'XX', 'LT', int(S.now + NO_VERDICT_MS), id)
  end
  return 1
end

local taken = 0
for at = 7, #ARGV, 4 do
  taken = taken + report(ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3]))
end
return { 'ok', taken }
