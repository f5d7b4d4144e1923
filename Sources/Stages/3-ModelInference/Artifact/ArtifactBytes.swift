internal import CKernels
internal import TradingTypes
internal import Glibc

/// The bytes of an artifact, a copy of a file or of memory, to be read with checks.
@safe final class ArtifactBytes {
  let name: String
  let count: Int
  private let base: UnsafeRawPointer

  /// A copy of a file.
  ///
  /// Read and not mapped: a file that another program cuts short meanwhile would end this one with a bus error; like this it
  /// is refused, by its length or by a checksum.
  init(reading path: String) throws(ArtifactError) {
    func refused(_ expected: String) -> ArtifactError {
      ArtifactError(file: path, section: "file", offsetBytes: 0, expected: expected)
    }
    // A pipe that nobody writes to would keep us waiting; a file does not care.
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw refused("a readable file (\(unsafe String(cString: strerror(errno))))") }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw refused("a regular file")
    }
    let length = Int(status.st_size)
    guard length >= ArtifactFormat.headerBytes, length <= ArtifactFormat.fileBytesMax else {
      throw refused("\(ArtifactFormat.headerBytes) to \(ArtifactFormat.fileBytesMax) bytes, not \(length)")
    }
    let copy = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 64)
    var done = 0
    while done < length {
      // In bounds: `length` bytes were allocated, of which `length - done` lie behind `done`.
      let part = unsafe Glibc.read(descriptor, copy + done, length - done)
      guard part > 0 || part < 0 && errno == EINTR else {
        unsafe copy.deallocate()
        throw refused("\(length) bytes that can be read, not \(done)")
      }
      done += max(part, 0)
    }
    unsafe base = UnsafeRawPointer(copy)
    name = path
    count = length
  }

  /// A copy of `bytes`.
  init(copying bytes: [UInt8], name: String) {
    let copy = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 64)
    unsafe bytes.withUnsafeBytes { buffer in
      // In bounds: as many bytes were allocated.
      if let start = buffer.baseAddress { unsafe copy.copyMemory(from: start, byteCount: buffer.count) }
    }
    unsafe base = UnsafeRawPointer(copy)
    self.name = name
    count = bytes.count
  }

  deinit { unsafe base.deallocate() }

  /// The little-endian integer at a byte.
  ///
  /// - Precondition: it lies inside.
  func load<I: FixedWidthInteger & BitwiseCopyable>(_: I.Type, at offset: Int) -> I {
    precondition(offset >= 0 && offset <= count - MemoryLayout<I>.size, "ArtifactBytes: the integer lies inside")
    // In bounds: checked above.
    return unsafe I(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: I.self))
  }

  /// SHA-256 of all bytes, in hexadecimal.
  var sha256: String {
    var hash = SHA256()
    // In bounds: the file is as long as that.
    unsafe hash.combine(Array(UnsafeRawBufferPointer(start: base, count: count)))
    return hash.hex
  }

  /// CRC-32C of some of the bytes.
  ///
  /// - Precondition: they lie inside.
  func checksum(_ range: Range<Int>) -> UInt32 {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "ArtifactBytes: the range lies inside")
    // In bounds: checked above.
    return unsafe martlet_artifact_crc32c(base + range.lowerBound, range.count)
  }
}

/// Reads the fields of one section in order; every read is checked against the end of the section.
struct SectionReader {
  let bytes: ArtifactBytes
  let section: String
  let end: Int
  private(set) var offset: Int

  init(_ bytes: ArtifactBytes, section: String, range: Range<Int>) {
    self.bytes = bytes
    self.section = section
    offset = range.lowerBound
    end = range.upperBound
  }

  func refused(_ expected: String) -> ArtifactError {
    ArtifactError(file: bytes.name, section: section, offsetBytes: offset, expected: expected)
  }

  mutating func integer<I: FixedWidthInteger & BitwiseCopyable>(
    _: I.Type, _ what: @autoclosure () -> String
  ) throws(ArtifactError) -> I {
    guard end - offset >= MemoryLayout<I>.size else { throw refused(what()) }
    defer { offset += MemoryLayout<I>.size }
    return bytes.load(I.self, at: offset)
  }

  /// A count between `range`'s bounds, so that a damaged one cannot ask for memory.
  mutating func count(_ range: ClosedRange<Int>, _ what: @autoclosure () -> String) throws(ArtifactError) -> Int {
    let place = offset
    let value = Int(try integer(UInt32.self, what()))
    guard range.contains(value) else {
      throw ArtifactError(
        file: bytes.name, section: section, offsetBytes: place,
        expected: "\(what()) from \(range.lowerBound) to \(range.upperBound), not \(value)")
    }
    return value
  }

  mutating func double(_ what: @autoclosure () -> String) throws(ArtifactError) -> Double {
    let value = Double(bitPattern: try integer(UInt64.self, what()))
    guard value.isFinite else { throw refused("\(what()), finite") }
    return value
  }

  mutating func float(_ what: @autoclosure () -> String) throws(ArtifactError) -> Float {
    let value = Float(bitPattern: try integer(UInt32.self, what()))
    guard value.isFinite else { throw refused("\(what()), finite") }
    return value
  }

  /// Zero bytes up to a multiple of `alignment` from the start of the file.
  mutating func padding(to alignment: Int) throws(ArtifactError) {
    while offset % alignment != 0 {
      guard try integer(UInt8.self, "padding") == 0 else { throw refused("padding of zero bytes") }
    }
  }

  func finish() throws(ArtifactError) {
    guard offset == end else { throw refused("the end of the section") }
  }
}
