-- The container to be given out next: the one that was idle longest; in a recovery, of those that are free. Or nil. One that may be
-- unclean since a loss, or whose last good probe is too old, is passed over and made clean or probed first: at most eight in one script.
local function next_free()
  while true do
    local id
    if S.recovering then
      id = redis.call('ZRANGEBYSCORE', S.base .. 'cleared', '-inf', int(S.now), 'LIMIT', 0, 1)[1]
    else
      id = redis.call('ZRANGE', S.base .. 'available', 0, 0)[1]
    end
    local f = id and facts(id)
    local dirty = f and unclean(f)
    if not f or not dirty and not stale(f) then
      return f
    end
    if S.passed == 8 then
      return nil
    end
    S.passed = S.passed + 1
    if dirty then
      make_clean(f)
    else
      check_again(f)
      settle(f)
    end
  end
end
