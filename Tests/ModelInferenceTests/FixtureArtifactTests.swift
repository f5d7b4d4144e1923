import Foundation
import ModelImport
import Testing

@testable import ModelInference

struct FixtureArtifactTests {
  // Goal: a change of `NetworkMath` reaches the artifact the executables carry without training it again. Method: freeze
  // the same members with the same golden rows; `UPDATE_GOLDEN=1 swift test --filter FixtureArtifactTests` writes the file.
  @Test func `the fixture ensemble carries the answers of these kernels`() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Fixtures/models/ensemble.martlet")
    // The file, not the copy inside this program: it may be newer.
    let bytes = [UInt8](try Data(contentsOf: path))
    let sections = try ArtifactSections(ArtifactBytes(copying: bytes, name: "ensemble.martlet"))
    let model = try sections.model()
    let golden = try sections.goldenRows(for: model)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try Data(ArtifactWriter.freeze(model, golden: golden.rows)).write(to: path)
    } else {
      #expect(golden.hold(in: model, kernels: .best), "UPDATE_GOLDEN=1 freezes the fixture again")
    }
  }
}
