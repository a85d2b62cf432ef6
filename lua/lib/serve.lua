-- Gives what is available to who waits, as far as both last; at most 16. There is both only after `offer` had to stop
-- at dead tickets, and when a recovery ends.
local function serve()
  for _ = 1, 16 do
    if redis.call('ZCARD', S.base .. 'queue') == 0 then
      return
    end
    licence()
    local f = next_free()
    if not f or not offer(f) then
      return
    end
  end
  S.more = true
end
