-- What is known of a provider.
--
-- KEYS[1] provider
--
-- Outcomes
--   ok  holder ('' when nobody holds the lock), generation, age of the last good look in ms (or false),
--       error (or false), asked, answered
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local p = redis.call('HMGET', KEYS[1], 'holder', 'until', 'generation', 'looked', 'error', 'asked', 'answered')
local held = p[1] and p[1] ~= '' and tonumber(p[2]) > now
local age = p[4] and math.max(0, now - tonumber(p[4]))
return { 'ok', held and p[1] or '', tonumber(p[3] or 0), age, p[5], tonumber(p[6] or 0), tonumber(p[7] or 0) }
