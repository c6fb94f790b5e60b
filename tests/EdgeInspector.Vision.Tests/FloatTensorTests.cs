using System.Text;

namespace EdgeInspector.Vision.Tests;

public sealed class FloatTensorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edge-inspector-npy-").FullName;

    private string File => Path.Combine(_folder, "x.npy");

    public void Dispose() => Directory.Delete(_folder, true);

    [Theory]
    [InlineData(6)]
    [InlineData(2, 3)]
    [InlineData(1, 2, 3, 1)]
    public void WhatIsWrittenIsReadBack(params int[] shape)
    {
        new FloatTensor([1, 2, 3, float.NaN, 5, 6], shape).WriteNpy(File);

        var read = FloatTensor.ReadNpy(File);
        Assert.Equal([1, 2, 3, float.NaN, 5, 6], read.Values);
        Assert.Equal(shape, read.Shape);
        Assert.Equal(0, (new FileInfo(File).Length - (6 * 4)) % 64);
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void NumpysOwnHeaderIsRead()
    {
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
        var padded = header.PadRight(117) + '\n';
        System.IO.File.WriteAllBytes(
            File, [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Encoding.ASCII.GetBytes(padded), 0, 0, 128, 63, 0, 0, 0, 64]);

        Assert.Equal([1f, 2f], FloatTensor.ReadNpy(File).Values);
    }

    [Theory]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", "<f4")]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "ascontiguousarray")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }", "length")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "length")]
    public void OtherKindsOfArraysAreRefused(string header, string hint)
    {
        System.IO.File.WriteAllBytes(
            File, [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), 0, 0, 0, 0]);

        var refusal = Assert.Throws<VisionException>(() => FloatTensor.ReadNpy(File));
        Assert.Contains(File, refusal.Message);
        Assert.Contains(hint, refusal.Message);
    }

    [Fact]
    public void FilesThatAreNoArraysAreRefused()
    {
        Assert.Contains("cannot be read", Assert.Throws<VisionException>(() => FloatTensor.ReadNpy(File)).Message);
        System.IO.File.WriteAllText(File, "hello");
        Assert.Contains("not an .npy", Assert.Throws<VisionException>(() => FloatTensor.ReadNpy(File)).Message);
    }

    [Fact]
    public void FolderThatIsNotThereIsSaid()
    {
        var path = Path.Combine(_folder, "no", "x.npy");
        Assert.Contains(path, Assert.Throws<VisionException>(() => new FloatTensor([1], [1]).WriteNpy(path)).Message);
    }
}
