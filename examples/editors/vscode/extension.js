// Starts `pointsman lsp` for rules, scripts and configurations.
const vscode = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

exports.activate = async (context) => {
  const settings = vscode.workspace.getConfiguration('pointsman');
  const server = { command: settings.get('path'), args: ['lsp'] };
  client = new LanguageClient('pointsman', 'Pointsman', server, {
    documentSelector: [
      { scheme: 'file', language: 'alarm' },
      { scheme: 'file', pattern: '**/*.rhai' },
      { scheme: 'file', pattern: '**/{pointsman,agent,*.test}.yaml' },
    ],
    initializationOptions: { log: settings.get('log') || undefined },
  });
  context.subscriptions.push(
    vscode.commands.registerCommand('pointsman.countInLog', async () => {
      const chosen = await vscode.window.showOpenDialog({ canSelectMany: false });
      if (chosen) {
        await client.sendRequest('workspace/executeCommand', { command: 'pointsman.chooseLog', arguments: [chosen[0].fsPath] });
      }
    }),
  );
  await client.start();
};

exports.deactivate = () => client && client.stop();
