internal import CKernels

/// The layout of a frozen model artifact, version 2: little-endian, every section on a 64-byte border.
///
/// ```
///   0  magic "MARTLETM"          8 bytes
///   8  version                   u32 = 2
///  12  section count             u32
///  16  feature schema hash       u64, FNV-1a 64 over the names of the features
///  24  length of the file        u64
///  32  checksum of the table     u32, CRC-32C over the section table
///  36  catalogue hash            u64 = FeatureSlot.schemaHash, 0 where no feature is a slot of the catalogue
///  44  reserved                  16 bytes, 0
///  60  checksum of the header    u32, CRC-32C over bytes 0 ..< 60
///  64  section table             32 bytes each: kind u32, number u32, offset u64, length u64, CRC-32C u32, 0 u32
///   …  sections                  in table order, zero bytes between them
/// ```
///
/// Checksums are CRC-32C: they catch every error of up to three bits and every burst up to 32 in sections of these
/// sizes, say which section is damaged, and cost a millisecond even in a debug build. They guard against accidents;
/// whoever needs to know *which* model a file holds compares the SHA-256 of the file, which `martlet model` prints.
public enum ArtifactFormat {
  /// "MARTLETM" read as a little-endian integer.
  public static let magic: UInt64 = 0x4D54_454C_5452_414D
  /// The version written, and the only one read.
  public static let version: UInt32 = 2
  /// Bytes before the section table.
  public static let headerBytes = 64
  /// Bytes of one entry of the section table.
  public static let entryBytes = 32
  /// Sections start on multiples of this.
  public static let alignmentBytes = 64
  /// The most sections a file may have.
  public static let sectionCountMax = 32
  /// The longest file that is read.
  public static let fileBytesMax = 64 << 20

  /// What a section holds.
  public enum Section: UInt32, Sendable, CaseIterable {
    /// Names and origins, as lines `key=value`.
    case metadata = 1
    /// Names of the features, a line each.
    case features = 2
    /// Name, inputs and rules of every member.
    case members = 3
    /// The trees of a member.
    case forest = 4
    /// The network of a member, in 8-bit integers.
    case quantised = 5
    /// The same in single precision.
    case float = 6
    /// Weights, stack and calibration.
    case combiner = 7
    /// Rows with the bits that each member and the forecast must give.
    case golden = 8
  }

  /// CRC-32C (Castagnoli) of some bytes.
  public static func checksum(_ bytes: [UInt8]) -> UInt32 {
    unsafe bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      // In bounds: the buffer says how long it is.
      return unsafe martlet_artifact_crc32c(base, buffer.count)
    }
  }
}
