// A fault that nothing can meet makes a test pass that shows nothing: no stand-in takes one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENTRA_OPERATIONS } from '../../../local/entra/entra-routes.ts';
import { GOOGLE_OPERATIONS } from '../../../local/google/google-routes.ts';
import { Control, type Fault } from '../../../local/control/control.ts';
import { connectControl, type RemoteControl } from '../../../local/control/remote-control.ts';
import { BROKER_OPERATIONS } from '../../../local/service-bus/faulty-operation.ts';
import { TABLE_OPERATIONS } from '../../../local/tables/table-request.ts';

let control: Control;
let remote: RemoteControl;

beforeAll(async () => {
  control = new Control(['get', 'token']);
  remote = connectControl(await control.listen());
});
afterAll(() => control.close());

describe('a fault', () => {
  it('of an operation that the stand-in has, or of any, is planted', async () => {
    await remote.plant({ operation: 'get', times: 1, effect: { status: 503 } });
    await remote.plant({ target: 'there', times: 1, effect: { hang: true } });
    expect([control.take('get', 'here'), control.take('token', 'there')]).toEqual([{ status: 503 }, { hang: true }]);
  });

  it('of an operation that it has not is refused, which says which there are', async () => {
    const fault = { operation: 'unwrapKey', effect: { status: 503 } };
    expect(() => control.plant(fault)).toThrow('no such operation: unwrapKey; there are get, token');
    await expect(remote.plant(fault)).rejects.toThrow('no such operation: unwrapKey');
  });

  it.each([
    ['a field that none has', { operaton: 'get', effect: {} }],
    ['an effect that none has', { operation: 'get', effect: { statuscode: 503 } }],
    ['no effect', { operation: 'get' }],
    ['no times', { operation: 'get', times: 0, effect: { hang: true } }],
    ['a drop at no moment', { effect: { drop: 'later' } }],
  ])('with %s is refused', async (_, fault) => {
    await expect(remote.plant(fault as unknown as Fault)).rejects.toThrow();
    expect(control.take('get', 'anything')).toBeUndefined();
  });
});

it('an operation that a stand-in carries out and has not named is a bug of the stand-in', () => {
  expect(() => control.take('sign', 'here')).toThrow('sign');
});

it.each([
  ['tables', TABLE_OPERATIONS],
  ['broker', BROKER_OPERATIONS],
  ['Entra', ENTRA_OPERATIONS],
  ['Google', GOOGLE_OPERATIONS],
])('the operations of the %s are named once', (_, operations) => {
  expect(new Set<string>(operations).size).toBe(operations.length);
});
