/// Why scores, values or a registry were refused: one line that names the place and what was expected.
public struct GovernanceError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The line.
  public let description: String

  /// A refusal.
  public init(_ line: String) { description = line }
}
