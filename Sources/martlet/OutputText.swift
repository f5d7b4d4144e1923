import CTool
import Foundation

/// Where a command writes: standard output, or a file that appears whole or not at all.
final class OutputText {
  private var buffer: [UInt8] = []
  private var digits = [CChar](repeating: 0, count: 32)
  private let handle: FileHandle
  private let temporary: String?
  private let target: String
  // Why text could not be written: told by `finish`, and nothing more is written.
  private var failure: (any Error)?

  /// Opens standard output (nil or `-`) or `path`, which must not exist as a file unless `force`.
  init(_ path: String?, force: Bool) throws {
    target = path ?? "-"
    guard let path, path != "-" else {
      handle = .standardOutput
      temporary = nil
      return
    }
    // A device or a pipe takes the text itself: a file put in its place would remove it.
    var status = stat()
    if unsafe stat(path, &status) == 0, ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) {
      guard let opened = FileHandle(forWritingAtPath: path) else { throw ToolFailure.badInput("\(path): not writable") }
      handle = opened
      temporary = nil
      return
    }
    guard force || !FileManager.default.fileExists(atPath: path) else {
      throw ToolFailure.badInput("\(path): exists already; --force overwrites it")
    }
    let name = "\(path).\(ProcessInfo.processInfo.processIdentifier).partial"
    guard FileManager.default.createFile(atPath: name, contents: nil), let opened = FileHandle(forWritingAtPath: name)
    else { throw ToolFailure.badInput("\(path): not writable") }
    handle = opened
    temporary = name
  }

  deinit {
    // An output that was never finished leaves no file behind.
    if let temporary { try? FileManager.default.removeItem(atPath: temporary) }
  }

  /// Adds text.
  func write(_ text: some StringProtocol) {
    buffer.append(contentsOf: text.utf8)
    if buffer.count > 1 << 20 { flush() }
  }

  /// Adds a field of a CSV row, quoted where RFC 4180 asks for it.
  func write(field text: String) {
    let needsQuotes = text.utf8.contains { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") }
    write(
      needsQuotes
        ? "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" : text)
  }

  /// Adds one ASCII character.
  func write(byte: UInt8) { buffer.append(byte) }

  /// Adds an integer.
  func write(_ value: Int64) {
    if value < 0 { buffer.append(UInt8(ascii: "-")) }
    var rest = value.magnitude
    let start = buffer.count
    repeat {
      buffer.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    buffer[start...].reverse()
  }

  /// Adds a price of `nanos` billionths with exactly `places` decimals; digits beyond must be zero.
  func write(nanos: Int64, places: Int) {
    var unit: Int64 = 1
    for _ in 0..<places { unit *= 10 }
    let scaled = nanos.magnitude / UInt64(1_000_000_000 / unit)
    if nanos < 0 { buffer.append(UInt8(ascii: "-")) }
    write(Int64(scaled / UInt64(unit)))
    guard places > 0 else { return }
    buffer.append(UInt8(ascii: "."))
    var fraction = scaled % UInt64(unit)
    let start = buffer.count
    for _ in 0..<places {
      buffer.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction % 10))
      fraction /= 10
    }
    buffer[start...].reverse()
  }

  /// Adds a floating-point number with 17 significant digits.
  func write(_ value: Double) {
    // The array holds the 32 characters that the shim promises not to exceed.
    let count = unsafe martlet_format_g17(value, &digits)
    for index in 0..<Int(count) { buffer.append(UInt8(bitPattern: digits[index])) }
  }

  /// A floating-point number with 17 significant digits.
  static func digits(of value: Double) -> String {
    var digits = [CChar](repeating: 0, count: 32)
    // The array holds the 32 characters that the shim promises not to exceed.
    let count = unsafe martlet_format_g17(value, &digits)
    return String(decoding: digits[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Writes out what is left and puts the file in its place.
  func finish() throws {
    flush()
    if let failure {
      let name = target == "-" ? "standard output" : target
      throw ToolFailure.badInput("\(name): could not be written: \(failure.localizedDescription)")
    }
    guard let temporary else { return }
    try handle.synchronize()
    guard unsafe rename(temporary, target) == 0 else {
      throw ToolFailure.badInput("\(target): could not be put in place")
    }
  }

  private func flush() {
    do {
      if failure == nil { try handle.write(contentsOf: Data(buffer)) }
    } catch { failure = error }
    buffer.removeAll(keepingCapacity: true)
  }
}

/// `text` of printable ASCII as it stands between the quotes of a JSON string.
func jsonEscaped(_ text: String) -> String {
  var result = ""
  for character in text {
    if character == "\"" || character == "\\" { result += "\\" }
    result.append(character)
  }
  return result
}
