/**
 * A store that can't be opened: its file or server is not there, is damaged, or belongs to a newer version.
 * The message is shown to the operator as it is, so it is one sentence that names the store and the way out.
 */
export class StorageOpenError extends Error {
  override readonly name = "StorageOpenError";
}
