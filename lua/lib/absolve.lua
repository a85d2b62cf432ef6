-- A container was made clean by an attempt that began after the latest loss (`made_for`, the loss that the attempt noted): whoever
-- used it before does so no more.
local function absolve(f, made_for)
  if S.loss and tonumber(made_for or 0) >= S.loss then
    f.clear = int(S.loss) .. '-' .. int(S.now)
    redis.call('HSET', S.base .. 'container:' .. f.id, 'clear', f.clear)
  end
end
