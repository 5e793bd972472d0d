// Why nothing can be recovered, in words for whoever asked. Its message holds nothing of what was read: it may be a secret.
export class RecoveryRefused extends Error {
  override readonly name = 'RecoveryRefused';
}
