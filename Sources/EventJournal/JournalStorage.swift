/// Why a journal cannot be written or read.
public enum JournalError: Error, Hashable, Sendable {
  /// The system refused an operation; the number is its `errno`.
  case storage(operation: String, errorNumber: Int32)
  /// Another process has the journal open.
  case isLocked
  /// What is there cannot be continued.
  case damaged(JournalEnd)
  /// The settings do not fit together; the text says which.
  case configuration(String)
  /// A write or sync failed: nothing after the last acknowledgement will ever be durable.
  case poisoned(operation: String, errorNumber: Int32)
  /// The deadline passed.
  case timedOut
  /// The journal was closed before the record could become durable.
  case closed
}

/// What came of one write and the sync behind it.
public struct StorageCompletion: Hashable, Sendable {
  /// Bytes written, from the first on.
  public var writtenBytes: Int
  /// The `errno` of the write, or 0.
  public var writeError: Int32
  /// The `errno` of the sync, or 0. Meaningful when all bytes were written.
  public var syncError: Int32
  /// Whether a sync that was begun after the whole write is complete.
  public var isSynced: Bool

  /// A completion of these parts.
  public init(writtenBytes: Int, writeError: Int32 = 0, syncError: Int32 = 0, isSynced: Bool) {
    self.writtenBytes = writtenBytes
    self.writeError = writeError
    self.syncError = syncError
    self.isSynced = isSynced
  }
}

/// Where segments live. Used by the journal's thread only, once the writer has it.
public protocol JournalStorage: AnyObject, Sendable {
  /// One line for the report: which way the bytes go.
  var backend: String { get }

  /// All segments there are, by rising number.
  func images() throws(JournalError) -> [SegmentImage]

  /// Makes segment `number` of `byteCount` bytes, zero-written, begins it with `header`, and makes all of it durable, its name too.
  ///
  /// Later commits go to this segment.
  func begin(segment number: UInt64, byteCount: Int, header: RawSpan) throws(JournalError)

  /// Writes `bytes` at `offset` of the segment and, when all were written, makes them durable.
  func commit(_ bytes: RawSpan, at offset: Int) -> StorageCompletion

  /// Lets go of everything.
  func close()
}
