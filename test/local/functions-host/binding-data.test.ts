import { expect, test } from 'vitest';
import { BindingData, httpBindingData } from '../../../local/functions-host/binding-data.ts';
import { toTriggerMetadata } from '../../../local/functions-host/service-bus-message.ts';

test('members of a JSON object are laid over what is there, without regard to case, under the name that was there first', () => {
  const data = new BindingData();
  data.set('MessageId', { string: 'm-1' });
  data.apply(' {"messageid": "other", "n": 1, "yes": true, "none": null, "list": [1], "in": {"a": 1}} ');
  expect(data.toMetadata()).toEqual({
    MessageId: { string: 'other' },
    n: { string: '1' },
    yes: { string: 'True' },
    in: { json: '{"a":1}' },
  });
});

test.each(['', 'text', '[1]', '{"a": 1', '"a"'])('%j adds nothing', (text) => {
  const data = new BindingData();
  data.apply(text);
  expect(data.toMetadata()).toEqual({});
});

test('an object that is nested too deep adds nothing, and takes nobody down', () => {
  const depth = 100_000;
  const data = new BindingData();
  data.apply(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);
  expect(data.toMetadata()).toEqual({});
});

test('a message is told with its body laid over it, and with what a .NET function settles by', () => {
  const body = Buffer.from('{"messageId": "chosen", "DELIVERYCOUNT": 9}');
  const metadata = toTriggerMetadata({ body, messageId: 'm-1', deliveryCount: 0 } as never);
  expect(metadata).toMatchObject({
    MessageId: { string: 'chosen' },
    DeliveryCount: { string: '9' },
    MessageActions: { json: '{}' },
  });
});

test('of an HTTP request the path comes after the query, which comes after the body; either can take the place of the headers', () => {
  const told = (query: string, body?: string): unknown =>
    httpBindingData({
      body: body === undefined ? undefined : Buffer.from(body),
      query: new URLSearchParams(query),
      params: { id: 'path' },
      headers: { host: 'h' },
    });
  expect(told('ID=query&code=secret', '{"a": "body", "id": "body"}')).toEqual({
    a: { string: 'body' },
    id: { string: 'path' },
    Query: { json: '{"ID":"query","code":"secret"}' },
    Headers: { json: '{"host":"h"}' },
  });
  expect(told('headers=mine')).toMatchObject({ headers: { string: 'mine' } });
  expect(told('headers=mine')).not.toHaveProperty('Headers');
});
