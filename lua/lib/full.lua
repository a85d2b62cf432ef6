-- Whether as many containers are in quarantine as may be: a share of the type's, in thousandths, rounded down; but where there
-- are two or more, one may always rest.
local function full(share)
  local all = redis.call('ZCARD', S.base .. 'containers')
  local most = math.floor(all * share / 1000)
  if share > 0 and all > 1 then
    most = math.max(most, 1)
  end
  return redis.call('ZCARD', S.base .. 'quarantine') >= most
end

-- What of the quarantine's settings is in a container's record: how many strikes within how long put it there (0: none ever),
-- how long it rests first and at most, and the share. Nil in one that an older version wrote.
local function rest_rules(text)
  local most, window, first, longest, share = string.match(text or '', '^(%d+):(%d+):(%d+):(%d+):(%d+)$')
  return most and { most = tonumber(most), window = tonumber(window), first = tonumber(first),
    longest = tonumber(longest), share = tonumber(share) }
end
