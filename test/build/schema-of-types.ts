/**
 * TypeScript types → JSON Schema (draft-07), as far as lines of JSON need it: objects, arrays, unions, literals, text, numbers.
 * Comments become descriptions, and the tags `@minLength`, `@maxLength`, `@multipleOf`, `@minimum`, `@maximum`, `@format` what they say; anything else is an error.
 *
 * Written because the generators that are kept bring a second compiler along, older than the one here.
 */
import ts from 'typescript';

export type JsonSchema = { readonly [keyword: string]: unknown };

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  types: [],
  noEmit: true,
};

/** The types that one source file exports. */
export class SchemaSource {
  readonly #checker: ts.TypeChecker;
  readonly #exports: ReadonlyMap<string, ts.Symbol>;

  constructor(path: string) {
    const program = ts.createProgram([path], OPTIONS);
    const file = program.getSourceFile(path);
    this.#checker = program.getTypeChecker();
    const module = file === undefined ? undefined : this.#checker.getSymbolAtLocation(file);
    if (module === undefined) throw new Error(`${path} cannot be read, or exports nothing`);
    this.#exports = new Map(this.#checker.getExportsOfModule(module).map((one) => [one.name, one]));
  }

  /** The schema of an exported type. */
  schema(name: string): JsonSchema {
    const type = this.#named(name);
    return { ...this.#described(type.aliasSymbol ?? type.getSymbol()), ...this.#schemaOf(type, name) };
  }

  /** The members of an exported union of objects, by the literal that each has as `key`; the comment above a member describes it. */
  members(name: string, key: string): ReadonlyMap<string, JsonSchema> {
    const type = this.#named(name);
    const parts = type.isUnion() ? type.types : [type];
    return new Map(
      parts.map((part) => {
        const property = part.getProperty(key);
        const value = property === undefined ? undefined : this.#checker.getTypeOfSymbol(property);
        if (value?.isStringLiteral() !== true) throw new Error(`a member of ${name} has no literal ${key}`);
        return [value.value, { ...this.#memberComment(property), ...this.#schemaOf(part, `${name} ${value.value}`) }];
      }),
    );
  }

  #named(name: string): ts.Type {
    const symbol = this.#exports.get(name);
    if (symbol === undefined) throw new Error(`there is no type ${name}`);
    return this.#checker.getDeclaredTypeOfSymbol(symbol);
  }

  #schemaOf(type: ts.Type, where: string): JsonSchema {
    if (type.flags & ts.TypeFlags.BooleanLike && type.isUnion()) return { type: 'boolean' };
    if (type.isUnion()) return this.#union(type.types, where);
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (type.flags & ts.TypeFlags.BooleanLiteral) return { const: this.#checker.typeToString(type) === 'true' };
    if (type.flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
    if (type.flags & ts.TypeFlags.String) return { type: 'string' };
    if (type.flags & ts.TypeFlags.Number) return { type: 'number' };
    if (type.flags & ts.TypeFlags.Null) return { type: 'null' };
    if (this.#checker.isArrayType(type)) return { type: 'array', items: this.#schemaOf(this.#checker.getTypeArguments(type as ts.TypeReference)[0]!, `${where}[]`) };
    if (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) return this.#object(type, where);
    throw new Error(`${where}: ${this.#checker.typeToString(type)} has no form in JSON`);
  }

  #union(parts: readonly ts.Type[], where: string): JsonSchema {
    const literals = parts.filter((part) => part.isStringLiteral() || part.isNumberLiteral());
    const others = parts.filter((part) => !literals.includes(part as ts.StringLiteralType) && !(part.flags & ts.TypeFlags.Undefined));
    const booleans = others.filter((part) => part.flags & ts.TypeFlags.BooleanLiteral);
    const schemas = others.filter((part) => booleans.length < 2 || !booleans.includes(part)).map((part) => this.#schemaOf(part, where));
    if (booleans.length === 2) schemas.push({ type: 'boolean' });
    if (literals.length === 1) schemas.unshift(this.#schemaOf(literals[0]!, where));
    else if (literals.length > 1) schemas.unshift({ enum: literals.map((part) => (part as ts.StringLiteralType).value).sort() });
    const [only] = schemas;
    return schemas.length === 1 && only !== undefined ? only : { anyOf: schemas };
  }

  #object(type: ts.Type, where: string): JsonSchema {
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    for (const property of type.getProperties()) {
      const inner = `${where}.${property.name}`;
      properties[property.name] = { ...this.#schemaOf(this.#checker.getTypeOfSymbol(property), inner), ...this.#described(property), ...tags(property) };
      if (!(property.flags & ts.SymbolFlags.Optional)) required.push(property.name);
    }
    return { type: 'object', properties, required };
  }

  #described(symbol: ts.Symbol | undefined): { description?: string } {
    const text = symbol === undefined ? '' : ts.displayPartsToString(symbol.getDocumentationComment(this.#checker)).trim();
    return text === '' ? {} : { description: text.replace(/\s*\n\s*/gu, ' ') };
  }

  /** What stands above the object that declares `property`: a member of a union has no symbol of its own that a comment would belong to. */
  #memberComment(property: ts.Symbol | undefined): { description?: string } {
    const member = property?.declarations?.[0]?.parent;
    if (member === undefined) return {};
    if (ts.isInterfaceDeclaration(member)) return this.#described(this.#checker.getSymbolAtLocation(member.name));
    const whole = ts.isIntersectionTypeNode(member.parent) && ts.isParenthesizedTypeNode(member.parent.parent) ? member.parent.parent : member;
    const text = whole.getSourceFile().text;
    // The comment stands before the bar that precedes the member, which belongs to the union.
    const before = text.slice(0, whole.getStart()).replace(/\|\s*$/u, '');
    const comment = /\/\*\*(?<words>(?:(?!\*\/)[^])*)\*\/\s*$/u.exec(before)?.groups?.['words'];
    return comment === undefined ? {} : { description: comment.replace(/\s*\n\s*\*?\s*/gu, ' ').trim() };
  }
}

const NUMBER_TAGS: ReadonlySet<string> = new Set(['minLength', 'maxLength', 'multipleOf', 'minimum', 'maximum']);

function tags(symbol: ts.Symbol): JsonSchema {
  const found: Record<string, unknown> = {};
  for (const { name, text } of symbol.getJsDocTags()) {
    const value = ts.displayPartsToString(text).trim();
    if (NUMBER_TAGS.has(name)) found[name] = Number(value);
    else if (name === 'format') found[name] = value;
    else throw new Error(`${symbol.name}: the tag @${name} has no meaning in a schema`);
  }
  return found;
}
