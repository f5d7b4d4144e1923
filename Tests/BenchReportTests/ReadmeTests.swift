// Goal: what the README shows is what is built. Method: the example's source is the README's first Swift block, byte for byte.
import Foundation
import Testing

@testable import bench

@Suite struct `The README` {
  @Test func `the host shown is the one that is built`() throws {
    let root = URL(fileURLWithPath: OptimisedRestart.packageRoot)
    let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    let source = try String(contentsOf: root.appendingPathComponent("Examples/Host/Host.swift"), encoding: .utf8)
    let block = readme.components(separatedBy: "```swift\n").dropFirst().first?.components(separatedBy: "```\n").first
    #expect(block == source)
  }
}
