-- A container failed that had been well: a strike. When there were so many within a while, it goes into quarantine, the longer
-- the more often that happened in a row; unless too many are there already. What is known of it belongs to its place, which is
-- its provider's name for it: another container under the same name goes on from there. After a quiet time it is forgotten.
-- One that somebody has the engine end is no failure of its own. The caller settles it.
local function strike(f, why)
  if f.state == 'terminating' then
    return
  end
  local key = S.base .. 'container:' .. f.id
  local own = redis.call('HMGET', key, 'place', 'rules')
  local rules = own[1] and rest_rules(own[2])
  if not rules or rules.most == 0 then
    return
  end
  local place = S.base .. 'strikes:' .. own[1]
  local known = redis.call('HMGET', place, 'times', 'rests')
  local times = {}
  for time in string.gmatch(known[1] or '', '%d+') do
    if tonumber(time) > S.now - rules.window then
      times[#times + 1] = time
    end
  end
  times[#times + 1] = int(S.now)
  local keep = rules.window
  if #times < rules.most or f.quarantine then
    -- The latest are enough to tell.
    redis.call('HSET', place, 'times', table.concat(times, ',', math.max(1, #times - rules.most + 1)))
  elseif full(rules.share) then
    redis.call('HSET', place, 'times', '')
    event('container.quarantine_full', 'container', f.id, 'why', why)
  else
    local rests = tonumber(known[2] or 0) + 1
    local rest = math.min(rules.first * 2 ^ math.min(rests - 1, 30), rules.longest)
    local ends = S.now + rest
    redis.call('HSET', place, 'times', '', 'rests', int(rests), 'ends', int(ends), 'why', why)
    keep = keep + 2 * rest
    f.quarantine = why
    redis.call('HSET', key, 'quarantine', why)
    redis.call('ZADD', S.base .. 'quarantine', int(ends), f.id)
    due_at(ends)
    event('container.quarantined', 'container', f.id, 'why', why, 'times', int(rests), 'rests_ms', int(rest))
  end
  redis.call('PEXPIRE', place, int(math.max(keep, redis.call('PTTL', place))))
end
