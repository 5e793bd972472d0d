// How the broker says no: AMQP conditions with the texts of Service Bus, and the status that a management or CBS
// answer gives for the same. Pure.
import type { FaultEffect } from '../control/control.ts';

export interface Failure {
  readonly condition: string;
  readonly description: string;
  /** The HTTP-like status of request-response answers, and of the request log. */
  readonly status: number;
}

export function entityNotFound(host: string, path: string): Failure {
  return {
    condition: 'amqp:not-found',
    description: `The messaging entity 'sb://${host}/${path}' could not be found. To know more visit https://aka.ms/sbResourceMgrExceptions.`,
    status: 404,
  };
}

export function unauthorized(host: string, path: string): Failure {
  return {
    condition: 'amqp:unauthorized-access',
    description: `Unauthorized access. A valid token is required to perform this operation. Resource: 'sb://${host}/${path}'.`,
    status: 401,
  };
}

export const LOCK_LOST: Failure = {
  condition: 'com.microsoft:message-lock-lost',
  description:
    'The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue.',
  status: 410,
};

export const DEAD_LETTER_NOT_ALLOWED: Failure = {
  condition: 'amqp:not-allowed',
  description: 'Cannot deadletter a message that is already in a deadletter queue.',
  status: 400,
};

export const NO_SESSIONS: Failure = {
  condition: 'amqp:not-allowed',
  description:
    'A sessionful message receiver cannot be created on an entity that does not require sessions. Ensure ' +
    'RequiresSession is set to true when creating a Queue or Subscription to enable sessionful behavior.',
  status: 400,
};

export const QUEUE_FULL: Failure = {
  condition: 'amqp:resource-limit-exceeded',
  description: 'The maximum entity size has been reached or exceeded.',
  status: 403,
};

export function messageTooLarge(size: number, limit: number): Failure {
  return {
    condition: 'amqp:link:message-size-exceeded',
    description: `The received message (size:${size} bytes) exceeds the limit (${limit} bytes) currently allowed on the link.`,
    status: 413,
  };
}

export function malformed(what: string): Failure {
  return { condition: 'amqp:decode-error', description: `${what} cannot be decoded.`, status: 400 };
}

export function notImplemented(what: string): Failure {
  return { condition: 'amqp:not-implemented', description: `${what} is not supported.`, status: 501 };
}

const CONDITION_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'com.microsoft:argument-error',
  401: 'amqp:unauthorized-access',
  403: 'amqp:resource-limit-exceeded',
  404: 'amqp:not-found',
  408: 'com.microsoft:timeout',
  410: 'com.microsoft:message-lock-lost',
  413: 'amqp:link:message-size-exceeded',
  429: 'com.microsoft:server-busy',
  501: 'amqp:not-implemented',
  503: 'com.microsoft:server-busy',
};

/** A planted status as AMQP would carry it; a string body is the description. */
export function plantedFailure(effect: FaultEffect, status: number): Failure {
  return {
    condition: CONDITION_OF_STATUS[status] ?? 'amqp:internal-error',
    description: typeof effect.body === 'string' ? effect.body : `planted fault: ${status}`,
    status,
  };
}
