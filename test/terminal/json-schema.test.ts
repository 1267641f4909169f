/** The shipped JSON Schema: it says what the program takes and tells, no more and no less. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Ajv from 'ajv';
import fc from 'fast-check';
import { COMMAND_NAMES, COMMANDS } from '../../src/terminal/command-table.js';
import { BadLine, parseJsonLine } from '../../src/terminal/json-lines.js';
import { jsonLinesSchema } from '../build/json-lines-schema.js';
import { eventNames, inputFault, outputFault, shippedSchema } from '../helpers/json-schema.js';

const AT = '2026-11-22T14:28:07.516Z';

/** Whether the program takes a line as an object of the right form, whatever it asks for. */
function isTaken(line: string): boolean {
  try {
    parseJsonLine(line);
    return true;
  } catch (error) {
    assert.ok(error instanceof BadLine);
    return !error.message.startsWith('An object line is');
  }
}

describe('the JSON Schema', () => {
  it('is that of the types it was built with', () => {
    assert.deepEqual(shippedSchema(), JSON.parse(JSON.stringify(jsonLinesSchema())));
  });

  it('says what each event means', () => {
    const definitions = shippedSchema()['definitions'] as Readonly<Record<string, object>>;
    assert.deepEqual(eventNames().filter((name) => !('description' in (definitions[name] ?? {}))), []);
  });

  it('is valid draft-07, and describes every field of what goes in', () => {
    const ajv = new Ajv();
    assert.equal(ajv.validateSchema(shippedSchema()), true, ajv.errorsText());
    const { input } = shippedSchema()['definitions'] as { readonly input: { readonly anyOf: readonly { readonly properties: Readonly<Record<string, object>> }[] } };
    for (const { properties } of input.anyOf) {
      for (const [name, property] of Object.entries(properties)) assert.ok('description' in property, name);
    }
  });

  it('allows the objects that the program takes, and no others', () => {
    const id = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(1e20, -1e20, 2 ** 53), fc.string({ maxLength: 66 }), fc.string({ maxLength: 66, unit: 'binary' }), fc.constantFrom(null, true, [1]));
    const text = fc.oneof(fc.constantFrom('', 'LIST_FILES', 'hello', 'bob'), fc.integer());
    const line = fc.record({ id, command: text, say: text, to: text, more: fc.boolean() }, { requiredKeys: [] }).map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(line, (one) => assert.equal(inputFault(one) === undefined, isTaken(one), one)),
      { numRuns: 2000 },
    );
  });

  it('shows every command, each a line that is taken', () => {
    const text = JSON.stringify(shippedSchema());
    for (const name of COMMAND_NAMES) assert.ok(text.includes(`"${COMMANDS[name].examples[0] ?? ''}"`), name);
    for (const name of COMMAND_NAMES) for (const command of COMMANDS[name].examples) assert.ok(isTaken(JSON.stringify({ id: 1, command })), command);
  });

  it('has one definition for each event, which demands its fields and allows later ones', () => {
    const message = { event: 'message', at: AT, peer: 'bob', direction: 'in', text: 'hello' };
    const ajv = new Ajv().addSchema(shippedSchema(), 'lines');
    const allows = (value: object) => ajv.validate('lines#/definitions/output', value);
    assert.ok(eventNames().includes('message'));
    assert.equal(allows(message), true);
    assert.equal(allows({ ...message, mood: 'good' }), true);
    assert.equal(allows({ ...message, direction: 'sideways' }), false);
    assert.equal(allows({ ...message, at: 'yesterday' }), false);
    for (const name of Object.keys(message)) assert.equal(allows(Object.fromEntries(Object.entries(message).filter(([key]) => key !== name))), false, name);
  });

  it('is held strictly against lines in tests: a field that it does not know is a fault', () => {
    assert.equal(outputFault(JSON.stringify({ event: 'done', at: AT, request: 1 })), undefined);
    assert.match(outputFault(JSON.stringify({ event: 'done', at: AT, request: 1, more: 1 })) ?? '', /additional/u);
    assert.match(outputFault(JSON.stringify({ event: 'unheard-of', at: AT })) ?? '', /no event unheard-of/u);
  });
});
