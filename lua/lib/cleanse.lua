-- After a loss: has made clean what somebody may have used in the writes that are lost, when that is due, so that it need not
-- be found by whoever wants it. Looks at up to 100 containers, and goes on there the next time.
local function cleanse()
  if not S.loss or S.recovering and S.now < S.trust then
    return
  end
  local after = redis.call('HGET', KEYS[1], 'cleanse')
  if not after then
    return
  end
  licence()
  local ids = redis.call('ZRANGEBYLEX', S.base .. 'containers', after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, 100)
  for _, id in ipairs(ids) do
    local f = facts(id)
    if f and f.set == 'available' and unclean(f) then
      make_clean(f)
    end
  end
  if #ids < 100 then
    redis.call('HDEL', KEYS[1], 'cleanse')
  else
    redis.call('HSET', KEYS[1], 'cleanse', ids[100])
  end
end
