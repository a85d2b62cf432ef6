-- Whether an observation is in order: from this generation of its provider's discoverer or a newer one, and not before
-- the last one of it. A retry repeats its number, and passes. Remembers it when it is.
-- Returns nil when it is not, else what to add to this generation's numbers so that they go on where the last
-- generation's ended: each discoverer counts from wherever it likes, and what only a former one saw must count as seen
-- before.
local function mark(provider, generation, sequence)
  local key = S.base .. 'observers'
  local last = redis.call('HMGET', key, provider .. ':generation', provider .. ':sequence', provider .. ':base')
  local last_generation, last_sequence, base = tonumber(last[1] or 0), tonumber(last[2] or 0), tonumber(last[3] or 0)
  if generation < last_generation or (generation == last_generation and sequence < last_sequence) then
    return nil
  end
  if generation > last_generation then
    base = math.max(0, base + last_sequence + 1 - sequence)
  end
  licence()
  redis.call('HSET', key, provider .. ':generation', int(generation), provider .. ':sequence', int(sequence),
    provider .. ':base', int(base))
  return base
end
