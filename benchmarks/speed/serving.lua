-- wrk's requests for serving.py: POSTs of JSON over the titles in titles.lua, each starting one title further on.
--
--   wrk … -s serving.lua URL -- FOLDER KIND TEXTS LANGUAGES MODEL
--
-- FOLDER: where titles.lua is. KIND: "embeddings" or "normalize". TEXTS: titles in a request. LANGUAGES: "en" says so in
-- each item; "en,de,fr,es" takes the languages in turn and names none. MODEL: whose vectors, for "embeddings".

local requests = {}
local turn = 0

local function quoted(text)
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

local function in_turn(titles, languages)
  local mixed = {}
  local longest = 0
  for language in languages:gmatch("%a+") do
    longest = math.max(longest, #titles[language])
  end
  for i = 1, longest do
    for language in languages:gmatch("%a+") do
      table.insert(mixed, titles[language][i])
    end
  end
  return mixed
end

local function embeddings(texts, model)
  return '{"model":"' .. model .. '","input":[' .. table.concat(texts, ",") .. "]}"
end

local function normalize(texts, language)
  local items = {}
  for i, text in ipairs(texts) do
    items[i] = '{"title":' .. text .. (language and ',"language":"' .. language .. '"' or "") .. "}"
  end
  return '{"items":[' .. table.concat(items, ",") .. "]}"
end

function init(args)
  local folder, kind, texts, languages, model = args[1], args[2], tonumber(args[3]), args[4], args[5]
  local titles = in_turn(dofile(folder .. "/titles.lua"), languages)
  local language = not languages:find(",") and languages or nil
  local headers = { ["content-type"] = "application/json" }
  for start = 0, #titles - 1 do
    local some = {}
    for i = 0, texts - 1 do
      some[i + 1] = quoted(titles[(start + i) % #titles + 1])
    end
    local body = kind == "embeddings" and embeddings(some, model) or normalize(some, language)
    requests[start + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    'JSON {"requests": %d, "seconds": %.4f, "refused": %d, "broken": %d, "p50_ms": %.2f, "p99_ms": %.2f}\n',
    summary.requests,
    summary.duration / 1e6,
    errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000,
    latency:percentile(99) / 1000
  ))
end
