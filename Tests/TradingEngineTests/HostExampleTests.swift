// Goal: the host example that people read is the one that is built. Method: the Swift block of the README against the source file.

import Foundation
import Testing

@Suite struct HostExampleTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    .standardizedFileURL
  private static let example = try? String(
    contentsOf: root.appendingPathComponent("Examples/Host/Host.swift"), encoding: .utf8)
  private static let readme = try? String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)

  private static var block: String? {
    guard let readme, let start = readme.range(of: "```swift\n"),
      let end = readme.range(of: "```", range: start.upperBound..<readme.endIndex)
    else { return nil }
    return String(readme[start.upperBound..<end.lowerBound])
  }

  @Test(
    .enabled(if: block != nil && example != nil, "README.md has no Swift block, or Examples/Host/Host.swift is missing")
  )
  func `the README shows the example host as it is built`() throws {
    let (block, example) = (try #require(Self.block), try #require(Self.example))
    #expect(block.trimmingCharacters(in: .newlines) == example.trimmingCharacters(in: .newlines))
  }
}
