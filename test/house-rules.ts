/**
 * The rules of the house: who may import whom, what stays pure, how a file looks. A function of text, so that each rule
 * can be shown to bite; house.test.ts holds the project against it.
 */
import ts from 'typescript';

/** Folders of src and what each may import besides itself: bin → terminal → client → transfer → net → security → protocol. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  security: ['protocol'],
  net: ['security', 'protocol'],
  transfer: ['net', 'security', 'protocol'],
  server: ['net', 'security', 'protocol'],
  client: ['transfer', 'net', 'security', 'protocol'],
  terminal: ['client', 'transfer', 'net', 'security', 'protocol'],
  bin: ['terminal', 'client', 'transfer', 'server', 'net', 'security', 'protocol'],
};

/** Packages with one home: nowhere else are they imported. */
const PACKAGE_HOMES: Readonly<Record<string, RegExp>> = {
  commander: /^src\/bin\//u,
  chalk: /^src\/(?:terminal\/|server\/start-up-lines\.ts$|bin\/p2p-server\.ts$)/u,
  'readline-sync': /^src\/terminal\/questions\.ts$/u,
};

/** All that the protocol may import from outside: no sockets, files, clocks or randomness among it. */
const PROTOCOL_IMPORTS: ReadonlySet<string> = new Set(['valibot', 'ipaddr.js', 'node:buffer']);

/** What the protocol may not name: clocks, randomness, the world. `Math` is there for `Math.max`; `Math.random` is caught apart. */
const IMPURE: ReadonlySet<string> = new Set([
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'crypto',
  'process',
  'fetch',
  'require',
  'globalThis',
]);

/** The screen knows the engine by its interface and its options; bin makes it. */
const ENGINE_SEEN_BY_TERMINAL: ReadonlySet<string> = new Set(['src/client/api.js', 'src/client/options.js']);

export const MAX_LINES = 400;

/** What `text`, the source file at `path` (from the top of the project, with slashes), does against the rules; empty when nothing. */
export function violations(path: string, text: string): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS);
  const found = [...shape(path, text, source)];
  if (path.startsWith('src/')) {
    for (const specifier of importsOf(source)) found.push(...importRule(path, specifier));
    found.push(...nameRules(path, source));
  }
  return found;
}

function* shape(path: string, text: string, source: ts.SourceFile): Iterable<string> {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines > MAX_LINES) yield `has ${lines} lines, more than ${MAX_LINES}`;
  if (!/^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|d))?\.ts$/u.test(path)) yield 'is not named in kebab-case';
  if (/(?:^|\/)(?:utils?|helper)\.ts$/u.test(path)) yield 'has a name that says nothing';
  if (/(?:^|\/)index\.ts$/u.test(path) || isBarrel(source)) yield 'is a barrel file';
  if (path.startsWith('src/') && !/^(?:#!.*\n)?\/[*/]/u.test(text)) yield 'does not open with a comment';
}

/** A file that does nothing but pass on what others export. */
function isBarrel(source: ts.SourceFile): boolean {
  const passesOn = (one: ts.Statement): boolean => ts.isExportDeclaration(one);
  return source.statements.some(passesOn) && source.statements.every((one) => passesOn(one) || ts.isImportDeclaration(one));
}

/** Everything that is imported: statically, as `import()`, as a type, passed on, or by `require`. */
function importsOf(source: ts.SourceFile): string[] {
  const specifiers: string[] = [];
  const take = (node: ts.Node | undefined): void => {
    specifiers.push(node !== undefined && ts.isStringLiteralLike(node) ? node.text : '(computed)');
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) take(node.moduleSpecifier);
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) take(node.moduleSpecifier);
    else if (ts.isExternalModuleReference(node)) take(node.expression);
    else if (ts.isImportTypeNode(node)) take(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
    else if (ts.isCallExpression(node) && (node.expression.kind === ts.SyntaxKind.ImportKeyword || isNamed(node.expression, 'require'))) take(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return specifiers;
}

function isNamed(node: ts.Node, name: string): boolean {
  return ts.isIdentifier(node) && node.text === name;
}

function* importRule(path: string, specifier: string): Iterable<string> {
  const folder = folderOf(path);
  if (specifier === '(computed)') {
    yield 'imports a computed path';
    return;
  }
  if (specifier.startsWith('.')) {
    const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
    if (!target.startsWith('src/')) yield `imports ${target} from outside src`;
    else if (folderOf(target) !== folder && MAY_IMPORT[folder]?.includes(folderOf(target)) !== true) yield `${folder} imports ${folderOf(target)}`;
    if (folder === 'terminal' && folderOf(target) === 'client' && !ENGINE_SEEN_BY_TERMINAL.has(target)) yield `terminal imports ${target}`;
    return;
  }
  const home = PACKAGE_HOMES[specifier];
  if (home !== undefined && !home.test(path)) yield `imports ${specifier}`;
  if (folder === 'protocol' && !PROTOCOL_IMPORTS.has(specifier)) yield `protocol imports ${specifier}`;
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function* nameRules(path: string, source: ts.SourceFile): Iterable<string> {
  const folder = folderOf(path);
  if (MAY_IMPORT[folder] === undefined) yield `is in no folder of the house: ${folder}`;
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) {
      const spelled = `${node.expression.getText(source)}.${node.name.text}`;
      if (/^(?:globalThis\.)?console\./u.test(spelled) && folder !== 'terminal' && folder !== 'bin') found.push(`calls ${spelled}`);
      if (spelled === 'Math.random' && folder === 'protocol') found.push('protocol uses Math.random');
    }
    if (folder === 'protocol' && ts.isIdentifier(node) && IMPURE.has(node.text) && isReference(node)) found.push(`protocol uses ${node.text}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  yield* found;
}

/** Whether an identifier stands for a value or type in scope, and is not just the name of a property. */
function isReference(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isQualifiedName(parent)) return parent.left === node;
  return !((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent)) && parent.name === node);
}
