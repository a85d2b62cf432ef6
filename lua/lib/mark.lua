-- Whether an observation is in order: from this generation of its provider's discoverer or a newer one, and not before
-- the last one of it. A retry repeats its number, and passes. Remembers it when it is.
local function mark(provider, generation, sequence)
  local key = S.base .. 'observers'
  local last = redis.call('HMGET', key, provider .. ':generation', provider .. ':sequence')
  local last_generation, last_sequence = tonumber(last[1] or 0), tonumber(last[2] or 0)
  if generation < last_generation or (generation == last_generation and sequence < last_sequence) then
    return false
  end
  licence()
  redis.call('HSET', key, provider .. ':generation', int(generation), provider .. ':sequence', int(sequence))
  return true
end
