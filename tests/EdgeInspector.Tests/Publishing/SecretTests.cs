using System.ComponentModel.DataAnnotations;
using EdgeInspector.Publishing;
using Xunit;

namespace EdgeInspector.Tests.Publishing;

public sealed class SecretTests
{
    [Fact]
    public void APasswordIsFoundInItsHashAndNoOtherIs()
    {
        var hash = PasswordHash.Create("grün und blau", 1000);

        Assert.True(PasswordHash.Verify("grün und blau", hash));
        Assert.False(PasswordHash.Verify("grun und blau", hash));
        Assert.False(PasswordHash.Verify("", hash));
        Assert.NotEqual(hash, PasswordHash.Create("grün und blau", 1000));
    }

    [Fact]
    public void AHashMadeElsewhereIsUnderstood()
    {
        // python3 -c "import hashlib,base64; print(base64.b64encode(hashlib.pbkdf2_hmac('sha512', b'secret',
        // b'0123456789abcdef', 1000, 32)).decode())"
        const string Hash = "pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg==$vgFvU7zWIDgDAUi7d8ayt+cfRiPWVVWfv8iQRsGZaZs=";

        Assert.True(PasswordHash.Verify("secret", Hash));
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("pbkdf2-sha512$0$MDEyMzQ1Njc4OWFiY2RlZg==$MDEyMzQ1Njc4OWFiY2RlZg==")]
    [InlineData("pbkdf2-sha512$2000000000$MDEyMzQ1Njc4OWFiY2RlZg==$MDEyMzQ1Njc4OWFiY2RlZg==")]
    [InlineData("pbkdf2-sha512$1000$!$MDEyMzQ1Njc4OWFiY2RlZg==")]
    [InlineData("pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg==$")]
    public void WhatIsNotAHashMatchesNothing(string text)
    {
        Assert.False(PasswordHash.IsHash(text));
        Assert.False(PasswordHash.Verify("", text));
    }

    [Fact]
    public void APasswordFileIsReadWithoutItsLineEnd()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("password", "secret\r\nsecond line\n", UnixFileMode.UserRead);

        Assert.Equal("secret", SecretFile.Read(file, "Mqtt:PasswordFile"));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void AFileThatAnyoneElseCanReadOrChangeIsRefused(UnixFileMode mode)
    {
        using var folder = new TemporaryFolder();

        Assert.Null(SecretFile.Fault(folder.Write("tight", "secret", UnixFileMode.UserRead | UnixFileMode.UserWrite), "k"));
        Assert.Contains("chmod 600", SecretFile.Fault(folder.Write("open", "secret", UnixFileMode.UserRead | mode), "k"));
    }

    [Fact]
    public void PasswordFilesThatWillNotDoAreNamedInOneLine()
    {
        using var folder = new TemporaryFolder();
        var open = folder.Write("open", "secret", UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var empty = folder.Write("empty", "", UnixFileMode.UserRead);
        var missing = Path.Combine(folder.Path, "missing");

        Assert.Equal(
            $"Mqtt:PasswordFile: {open} can be read or changed by others (mode 404); run: chmod 600 {open}",
            SecretFile.Fault(open, "Mqtt:PasswordFile")
        );
        Assert.Equal(
            $"Mqtt:PasswordFile: {missing} does not exist; create it with the password as its first line and mode 600",
            SecretFile.Fault(missing, "Mqtt:PasswordFile")
        );
        Assert.Equal(
            $"Mqtt:PasswordFile: {empty} is empty; write the password as its first line",
            Assert.Throws<IOException>(() => SecretFile.Read(empty, "Mqtt:PasswordFile")).Message
        );
    }

    [Fact]
    public void TheModeThatCountsIsThatOfTheLinksTarget()
    {
        using var folder = new TemporaryFolder();
        var open = folder.Write("open", "secret", UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var link = Path.Combine(folder.Path, "link");
        File.CreateSymbolicLink(link, open);

        Assert.NotNull(SecretFile.Fault(link, "Mqtt:PasswordFile"));
    }

    [Fact]
    public void DefaultOptionsAreValidAndFaultsNameTheirKey()
    {
        Assert.Empty(Faults(new MqttOptions()));
        Assert.Empty(Faults(new BrokerOptions { Enabled = true }));
        Assert.Contains("Mqtt:CaFile", Assert.Single(Faults(new MqttOptions { Tls = true, CaFile = "/no/such/file" })));
        Assert.Contains(
            "'bob' has neither PasswordFile nor PasswordHash",
            Assert.Single(Faults(new BrokerOptions { Enabled = true, Users = { new BrokerUser { Name = "bob" } } }))
        );
        Assert.Single(Faults(new MqttOptions { KeepAlive = TimeSpan.Zero }));
        Assert.Single(Faults(new MqttOptions { Port = 0 }));
    }

    private static IReadOnlyList<string> Faults(object options)
    {
        var found = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), found, validateAllProperties: true);
        return [.. found.Select(result => result.ErrorMessage!)];
    }
}
