-- Drives the language server as a person would, and writes what was seen. Neovim 0.7 is enough.
local seen = {}
local patience = 120000

local function finish()
  local file = io.open('seen.json', 'w')
  file:write(vim.fn.json_encode(seen))
  file:close()
  vim.cmd('wall')
  vim.cmd('qall!')
end

local function wait(what, fits)
  if not vim.wait(patience, fits, 20) then
    seen.stuck = what
    finish()
  end
end

local function at(line, column)
  vim.api.nvim_win_set_cursor(0, { line, column })
end

local function ask(method, more)
  local params = vim.tbl_extend('force', vim.lsp.util.make_position_params(), more or {})
  local answers = vim.lsp.buf_request_sync(0, method, params, patience)
  for _, answer in pairs(answers or {}) do
    return answer.result
  end
end

local client = vim.lsp.start_client({ name = 'pointsman', cmd = { vim.env.POINTSMAN, 'lsp' }, root_dir = vim.fn.getcwd() })
vim.o.hidden = true
vim.cmd('edit rules/a.alarm')
vim.lsp.buf_attach_client(0, client)
local rules = vim.api.nvim_get_current_buf()

wait('a diagnostic', function() return #vim.diagnostic.get(rules) > 0 end)
local first = vim.diagnostic.get(rules)[1]
seen.diagnostic = string.format('%s %d:%d', first.code or first.user_data.lsp.code, first.lnum, first.col)

at(1, 21)
seen.completion = {}
for _, item in ipairs(ask('textDocument/completion')) do
  table.insert(seen.completion, item.label)
end
at(1, 15)
seen.hover = ask('textDocument/hover').contents.value

at(1, 22)
local actions = ask('textDocument/codeAction', {
  range = { start = { line = 0, character = 22 }, ['end'] = { line = 0, character = 22 } },
  context = { diagnostics = {} },
})
vim.lsp.util.apply_workspace_edit(actions[1].edit, 'utf-16')
wait('no diagnostic', function() return #vim.diagnostic.get(rules) == 0 end)
seen.after_action = #vim.diagnostic.get(rules)

at(3, 10)
vim.lsp.buf.definition()
wait('the definition', function() return vim.api.nvim_get_current_buf() ~= rules end)
local place = vim.api.nvim_win_get_cursor(0)
seen.definition = string.format('%s:%d:%d', vim.api.nvim_buf_get_name(0), place[1], place[2])

vim.cmd('buffer ' .. rules)
at(3, 10)
vim.lsp.buf.rename('refused')
wait('the new name', function()
  return vim.api.nvim_buf_get_lines(rules, 2, 3, false)[1]:find('refused') ~= nil
end)
if vim.lsp.buf.format then
  vim.lsp.buf.format({ timeout_ms = patience })
else
  vim.lsp.buf.formatting_sync(nil, patience)
end
seen.symbols = {}
for _, symbol in ipairs(ask('textDocument/documentSymbol')) do
  table.insert(seen.symbols, symbol.name)
end
finish()
