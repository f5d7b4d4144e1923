public import LockFreeRings

/// Why a receiver or replayer cannot be made, or had to end.
public enum NetworkError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The system refused `operation` on `subject`; `reason` is its text for `errorNumber`.
  case refused(operation: String, subject: String, errorNumber: Int32, reason: String)
  /// The settings do not fit together; the text says which and what is expected.
  case configuration(String)
  /// The arena has no room for the buffers.
  case arena(ArenaError)

  /// One line: what, where, why.
  public var description: String {
    switch self {
    case .refused(let operation, let subject, let errorNumber, let reason):
      "\(operation) refused for \(subject): \(reason) (errno \(errorNumber))"
    case .configuration(let text): text
    case .arena(let error): error.description
    }
  }
}
