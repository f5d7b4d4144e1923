/// Why a model artifact was refused: one line that names the file, the section, the byte and what was expected.
public struct ArtifactError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file, or what its bytes were called.
  public var file: String
  /// The part of the file: `header`, `section table`, or a section's kind and number.
  public var section: String
  /// Byte in the file where the fault was seen.
  public var offsetBytes: Int
  /// What should have been there.
  public var expected: String

  /// A refusal.
  public init(file: String, section: String, offsetBytes: Int, expected: String) {
    self.file = file
    self.section = section
    self.offsetBytes = offsetBytes
    self.expected = expected
  }

  /// The line.
  public var description: String { "\(file): \(section), byte \(offsetBytes): expected \(expected)" }
}
