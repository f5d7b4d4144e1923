import Foundation
import MarketIngest
import Testing
import TradingTypes

// Goal: framing ends in exactly one stated way and never reads outside. Method: hand-made byte strings, every prefix of one.
@Suite struct ItchFramesTests {
  private func read(_ bytes: [UInt8]) -> (bodies: [[UInt8]], ending: ItchFrames.Ending, offset: Int) {
    var frames = ItchFrames(bytes.span)
    var bodies: [[UInt8]] = []
    #expect(frames.ending == .unread)
    while let body = frames.next() { bodies.append((0..<body.count).map { body.byte(at: $0) }) }
    return (bodies, frames.ending, frames.offset)
  }

  @Test func `messages come in order and the end is the end`() {
    let result = read([0, 1, 65, 0, 3, 1, 2, 3])
    #expect(result.bodies == [[65], [1, 2, 3]])
    #expect(result.ending == .end)
    #expect(result.offset == 8)
    #expect(read([]).ending == .end)
  }

  @Test func `a zero length is an end mark only where it is last`() {
    #expect(read([0, 1, 65, 0, 0]).ending == .endMark)
    #expect(read([0, 0]).ending == .endMark)
    let early = read([0, 1, 65, 0, 0, 0, 1, 66])
    #expect(early.bodies == [[65]])
    #expect(early.ending == .zeroLength(offset: 3))
  }

  @Test func `every prefix of a stream ends at a border or as truncated`() {
    let whole: [UInt8] = [0, 2, 1, 2, 0, 1, 3, 1, 0] + [UInt8](repeating: 7, count: 256)
    let borders = [0, 4, 7, 265]
    for length in 0...whole.count {
      let result = read(Array(whole.prefix(length)))
      let start = borders.last { $0 <= length } ?? 0
      #expect(result.offset == start)
      #expect(result.bodies.count == borders.firstIndex(of: start))
      #expect(result.ending == (start == length ? .end : .truncated(offset: start, byteCount: length - start)))
    }
  }

  @Test func `the longest body has 65535 bytes`() {
    let result = read([0xFF, 0xFF] + [UInt8](repeating: 1, count: 65_535))
    #expect(result.bodies.map(\.count) == [65_535])
    #expect(result.ending == .end)
  }

  @Test func `asking after the end gives the end again`() {
    let bytes: [UInt8] = [0, 1, 65, 0]
    var frames = ItchFrames(bytes.span)
    var count = 0
    for _ in 0..<5 { if frames.next() != nil { count += 1 } }
    #expect(count == 1)
    #expect(frames.ending == .truncated(offset: 3, byteCount: 1))
  }

  @Test func `a view refuses what is outside it`() async {
    let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    let view = ByteView(bytes.span)
    #expect(view.bigEndian64(at: 1) == 0x0203_0405_0607_0809)
    #expect(view.littleEndian64(at: 1) == 0x0908_0706_0504_0302)
    #expect(view.bigEndian48(at: 3) == 0x0405_0607_0809)
    #expect(view.bigEndian32(at: 5) == 0x0607_0809)
    #expect(view.bigEndian16(at: 7) == 0x0809)
    let slice = view.slice(from: 2, count: 3)
    #expect(slice.count == 3 && slice.byte(at: 2) == 5)
    await #expect(processExitsWith: .failure) {
      let bytes: [UInt8] = [1, 2, 3, 4]
      _ = ByteView(bytes.span).bigEndian32(at: 1)
    }
    await #expect(processExitsWith: .failure) {
      let bytes: [UInt8] = [1, 2, 3, 4]
      _ = ByteView(bytes.span).slice(from: 2, count: 3).count
    }
  }

  @Test func `a mapped file has the bytes of the file, and an empty one none`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mapped-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("three").path
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
    let file = try MappedFile(path: path)
    let sum = file.byteCount == 3 ? ByteView(file.bytes).byte(at: 2) : 0
    #expect(sum == 3)
    let emptyPath = folder.appendingPathComponent("empty").path
    try Data().write(to: URL(fileURLWithPath: emptyPath))
    let empty = try MappedFile(path: emptyPath)
    var frames = ItchFrames(empty.bytes)
    let isEmpty = frames.next() == nil
    #expect(isEmpty && frames.ending == .end)
  }

  @Test func `a file that cannot be mapped is named`() throws {
    let folder = FileManager.default.temporaryDirectory.path
    for path in [folder + "/there-is-no-such-file", folder] {
      do throws(ConfigurationError) {
        let file = try MappedFile(path: path)
        Issue.record("\(path): mapped \(file.byteCount) bytes")
      } catch {
        #expect(error.description.contains(path))
      }
    }
  }
}
