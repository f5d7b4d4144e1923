import FixtureStreams
import Foundation
import TestSupport
import Testing

// Goal: a compressed input reads as the file inside it, or fails in one line that names it. Method: the system's own gzip and zstd compress a
// generated day; the tool's output is compared, then the files are cut and damaged. Built without a library, the line that says so is checked.
@Suite(.enabled(if: Tool.url != nil, "martlet was not built beside the tests"))
struct CompressedInputTests {
  enum Format: String, CaseIterable, Sendable {
    case gzip
    case zstd

    /// The system's own program, or nil.
    var program: URL? {
      ["/bin", "/usr/bin", "/usr/local/bin"].map { URL(fileURLWithPath: "\($0)/\(rawValue)") }.first {
        FileManager.default.isExecutableFile(atPath: $0.path)
      }
    }

    var missing: String { self == .gzip ? "zlib was not found" : "zstd was not found" }
    var package: String { self == .gzip ? "zlib1g-dev" : "libzstd-dev" }
  }

  static let formats = Format.allCases.filter { $0.program != nil }

  private func book(_ path: String, input: URL? = nil) throws -> Tool.Outcome {
    try Tool.run(["book", "--feed", "itch50", "--input", path, "--every", "100"], input: input)
  }

  private func squeeze(_ file: String, _ format: Format) throws -> [UInt8] {
    [UInt8](try Tool.run(executable: #require(format.program), ["-c", file]).output)
  }

  /// True when the tool has no library for `format` and says so as it should.
  private func lacks(_ format: Format, _ outcome: Tool.Outcome, path: String) -> Bool {
    guard outcome.error.contains(format.missing) else { return false }
    #expect(outcome.code != 0 && outcome.output.isEmpty && outcome.errorLines.count == 1)
    #expect(outcome.error.contains(path) && outcome.error.contains(format.package))
    return true
  }

  @Test(.enabled(if: !formats.isEmpty, "neither gzip nor zstd is here"), arguments: formats)
  func `a compressed file reads as the file inside it, whatever its name`(format: Format) throws {
    let folder = try Folder()
    let plainPath = try folder.write(Fixture.bytes, "day.itch50")
    let plain = try book(plainPath)
    try #require(plain.code == 0 && plain.lines.count > 10)
    let path = try folder.write(try squeeze(plainPath, format), "day.with-no-telling-name")
    let whole = try book(path)
    if lacks(format, whole, path: path) { return }
    #expect(whole.code == 0 && whole.output == plain.output)
    let piped = try book("-", input: URL(fileURLWithPath: path))
    #expect(piped.code == 0 && piped.output == plain.output)
    // Two halves, compressed one by one and joined.
    let half = Fixture.bytes.count / 2
    let first = try squeeze(try folder.write(Array(Fixture.bytes[..<half]), "first"), format)
    let second = try squeeze(try folder.write(Array(Fixture.bytes[half...]), "second"), format)
    let joined = try book(try folder.write(first + second, "joined"))
    #expect(joined.code == 0 && joined.output == plain.output)
    // A name that promises compression is not believed either.
    let named = try book(try folder.write(Fixture.bytes, "day.itch50.\(format == .gzip ? "gz" : "zst")"))
    #expect(named.code == 0 && named.output == plain.output)
  }

  @Test(.enabled(if: !formats.isEmpty, "neither gzip nor zstd is here"), arguments: formats)
  func `a truncated or damaged file is one line that names it`(format: Format) throws {
    let folder = try Folder()
    let good = try squeeze(try folder.write(Fixture.bytes, "day.itch50"), format)
    var cases: [(name: String, bytes: [UInt8])] = [4, 9, good.count / 2, good.count - 1].map {
      ("cut-at-\($0)", Array(good.prefix($0)))
    }
    for place in [good.count / 3, good.count / 2, good.count - 2] {
      var bytes = good
      bytes[place] ^= 0x10
      cases.append(("flipped-at-\(place)", bytes))
    }
    cases.append(("something-behind", good + [1, 2, 3, 4, 5, 6, 7, 8, 9]))
    for (name, bytes) in cases {
      let path = try folder.write(bytes, name)
      let outcome = try book(path)
      if lacks(format, outcome, path: path) { continue }
      #expect(outcome.code != 0 && outcome.output.isEmpty, "\(name)")
      #expect(outcome.errorLines.count == 1 && outcome.error.contains("\(path): damaged or truncated"), "\(name)")
    }
  }

  // pzstd writes one before every frame, seekable files have their table in one.
  @Test(.enabled(if: Format.zstd.program != nil, "zstd is not here"), arguments: [UInt8(0x50), 0x5F])
  func `a zstd file that begins with a skippable frame is one`(first: UInt8) throws {
    let folder = try Folder()
    let plainPath = try folder.write(Fixture.bytes, "day.itch50")
    let skipped: [UInt8] = [first, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]
    let path = try folder.write(skipped + (try squeeze(plainPath, .zstd)) + skipped, "day.zst")
    let outcome = try book(path)
    if lacks(.zstd, outcome, path: path) { return }
    #expect(outcome.code == 0)
    #expect(outcome.output == (try book(plainPath)).output)
  }

  @Test(.enabled(if: Format.zstd.program != nil, "zstd is not here"))
  func `a frame with a huge window is told from damage`() throws {
    let folder = try Folder()
    let path = try folder.write(Fixture.bytes, "day.itch50")
    // From a pipe, because zstd shrinks the window to the size of a file it knows.
    let program = try #require(Format.zstd.program)
    let squeezed = try Tool.run(executable: program, ["--long=31", "-c"], input: URL(fileURLWithPath: path))
    let outcome = try book(try folder.write([UInt8](squeezed.output), "day.zst"))
    if lacks(.zstd, outcome, path: folder.file("day.zst").path) { return }
    #expect(outcome.code != 0 && outcome.error.contains("a window above 128 MiB"))
  }
}
